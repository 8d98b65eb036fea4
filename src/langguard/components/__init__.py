"""What agent developers import: LangChain's own components, guarded."""
