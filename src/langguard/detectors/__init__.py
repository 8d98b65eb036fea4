"""Find personal data and secrets: Presidio behind one interface. Importing this loads neither Presidio nor spaCy."""

from langguard.detectors.engine import Engine
from langguard.detectors.settings import PHONE_REGIONS, EngineSettings, PatternSpec, RecognizerSpec

__all__ = ["PHONE_REGIONS", "Engine", "EngineSettings", "PatternSpec", "RecognizerSpec"]
