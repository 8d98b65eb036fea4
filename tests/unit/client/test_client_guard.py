from tests.support.fake_gateway import API_KEY, FakeGateway

from langguard.client import Guard
from langguard.protocol import CallRequest, SqlCall


def test_a_call_is_asked_for_and_answered():
    with FakeGateway() as gateway, Guard(gateway.url, API_KEY) as guard:
        answer = guard.call(CallRequest(id="call_1", call=SqlCall(connection="shop", statement="SELECT 1")))
        assert answer.result.rows == ((1,),)
    assert gateway.sessions == {}
