"""Python's socketserver: KIND JOB PATH TOUCH, where KIND is a mix-in, or `time-shutdown-TIMES`."""

import socketserver
import sys
import threading
import time

kind, job, path, touch = sys.argv[1:]


class Short(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read(16).upper())


class Blocking(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.read(16)
        time.sleep(0.005)
        self.wfile.write(request.upper())


class Lines(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = not job.startswith("unix")

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Packets(socketserver.BaseRequestHandler):
    def handle(self):
        packet, server = self.request
        server.sendto(packet.upper(), self.client_address)


MIX_INS = {
    "python-threading": [socketserver.ThreadingMixIn],
    "python-forking": [socketserver.ForkingMixIn],
}
SERVERS = {
    "short": (socketserver.TCPServer, Short),
    "blocking": (socketserver.TCPServer, Blocking),
    "lines": (socketserver.TCPServer, Lines),
    "packets": (socketserver.UDPServer, Packets),
    "unix-short": (socketserver.UnixStreamServer, Short),
    "unix-lines": (socketserver.UnixStreamServer, Lines),
    "unix-packets": (socketserver.UnixDatagramServer, Packets),
}

transport, handler = SERVERS[job]


class Server(*MIX_INS.get(kind, []), transport):
    # Its default of 5 makes a client wait for seconds.
    request_queue_size = 1024


def bind():
    return Server(path if job.startswith("unix") else ("127.0.0.1", 0), handler)


def time_shutdown():
    with bind() as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        # It waits for requests, and looks every half second whether it is to stop.
        time.sleep(0.1)
        told = time.perf_counter()
        server.shutdown()
        serving.join()
        return (time.perf_counter() - told) * 1e6


if kind.startswith("time-shutdown-"):
    for _ in range(int(kind.rpartition("-")[2])):
        print(time_shutdown(), flush=True)
else:
    memory = bytearray(b"\1") * (int(touch) << 20)
    with bind() as server:
        address = server.server_address
        print(address if job.startswith("unix") else "%s:%d" % address, flush=True)
        server.serve_forever()
