import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(scope="session")
def engine():
    """One engine for all tests; building it takes a second. Built with sockets off: nothing may be looked up."""
    from langguard.detectors import Engine

    disable_socket()
    try:
        built = Engine()
        built.self_test()
    finally:
        enable_socket()
    return built
