"""A WebSocket server by python3-websockets, and one that says any octets."""

import asyncio
import threading

import websockets


class WebSocketServer:
    """`serve(socket)` is a coroutine that runs for each connection; by default every message comes back."""

    def __init__(self, context=None, serve=None, **settings):
        self.context, self.serve, self.settings = context, serve or self.echo, settings
        self.handshakes = []  # (path, headers) of each
        self.started = threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, daemon=True).start()
        assert self.started.wait(20)

    @staticmethod
    async def echo(socket):
        try:
            async for message in socket:
                await socket.send(message)
        except websockets.ConnectionClosed:
            pass

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._listen())
        self.loop.run_forever()

    async def _listen(self):
        async def one(socket):
            self.handshakes.append((socket.path, socket.request_headers))
            await self.serve(socket)

        server = await websockets.serve(one, "127.0.0.1", 0, ssl=self.context, max_size=1 << 26, **self.settings)
        self.port = server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.started.set()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
