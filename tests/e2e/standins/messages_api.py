"""A pretend Messages API: makes an agent run one shell command, reads the result, and ends the turn."""

import json


def _event(kind, data):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def _message(content, stop_reason):
    """The server-sent events of one assistant message with one content block."""
    usage = {"input_tokens": 10, "output_tokens": 10}
    yield _event("message_start", {"message": {
        "id": "msg_test", "type": "message", "role": "assistant", "model": "claude-test", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": usage}})
    if content["type"] == "tool_use":
        yield _event("content_block_start", {"index": 0, "content_block": {**content, "input": {}}})
        yield _event("content_block_delta", {"index": 0, "delta": {
            "type": "input_json_delta", "partial_json": json.dumps(content["input"])}})
    else:
        yield _event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
        for word in content["text"].split(" "):
            yield _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word + " "}})
    yield _event("content_block_stop", {"index": 0})
    yield _event("message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": usage})
    yield _event("message_stop", {})


class MessagesApi:
    """A route for /v1/messages. `keys` are the API keys that arrived, `results` what the command printed."""

    def __init__(self, key, command):
        self.key = key
        self.command = command
        self.keys = []
        self.results = []

    def __call__(self, request, connection):
        body = bytearray()
        connection.read_body(request, body.extend)
        self.keys.append(request.all("x-api-key") + request.all("authorization"))
        if request.get("x-api-key") != self.key:
            connection.respond_json({"type": "error", "error": {"type": "authentication_error",
                                                                "message": "invalid x-api-key"}}, status=401)
            return
        asked = json.loads(bytes(body))
        if "count_tokens" in request.path:
            connection.respond_json({"input_tokens": 10})
            return
        results = [block for message in asked["messages"] if isinstance(message["content"], list)
                   for block in message["content"] if block.get("type") == "tool_result"]
        if results:
            content = results[-1]["content"]
            self.results.append(content if isinstance(content, str) else "".join(b.get("text", "") for b in content))
            reply = _message({"type": "text", "text": "The command has run."}, "end_turn")
        elif any(tool.get("name") == "Bash" for tool in asked.get("tools", [])):
            reply = _message({"type": "tool_use", "id": "toolu_test", "name": "Bash", "input": {
                "command": self.command, "description": "Run the test's command"}}, "tool_use")
        else:
            reply = _message({"type": "text", "text": "A title"}, "end_turn")
        if not asked.get("stream"):
            connection.respond_json({"id": "msg_test", "type": "message", "role": "assistant", "model": "claude-test",
                                     "content": [{"type": "text", "text": "yes"}], "stop_reason": "end_turn",
                                     "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}})
            return
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in reply:
            connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        connection.send(b"0\r\n\r\n")
