"""A process that has the whole program loaded, and forks each run of it from there: ``loaded_program.py SOCKET``.

To load the program costs half a second of a processor, which tests that start it some hundred times cannot afford. A
run that is forked is a process of its own all the same, with its own arguments, folder, environment, signals and end.
Nothing of the tests is imported here, so that what runs is the program and no more.
"""

import atexit
import gc
import json
import os
import signal
import socket
import sys
import threading
from importlib import import_module
from pkgutil import walk_packages
from selectors import EVENT_READ, DefaultSelector

import secure_export
from secure_export.cli.main import run

_MOST_BYTES = 1 << 20
_MOST_FILES = 4


def load() -> None:
    """Import every module of the program, as commands do when they are used."""
    for module in walk_packages(secure_export.__path__, "secure_export."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    assert threading.active_count() == 1, "a process that has threads cannot be forked safely"
    gc.collect()
    gc.freeze()  # what is never looked through is never written to, and stays shared


class Orders:
    """Takes orders to run the program, and tells how each run ended.

    Args:
        orders: Where orders come from: one message each, with files for the run's input, output and errors, and a
            pipe that its status is written to when it ended. Each is answered by the run's process id.
    """

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._running: dict[int, int] = {}

    def take(self) -> bool:
        """Take orders until there will be no more; True in a process that is to run the program."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        with DefaultSelector() as selector:
            selector.register(self._orders, EVENT_READ)
            selector.register(self._woken, EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._woken.recv(_MOST_BYTES)
                    self._tell_ends()
                if self._orders in ready:
                    message, files, _, _ = socket.recv_fds(self._orders, _MOST_BYTES, _MOST_FILES)
                    if not message:
                        self._let_go()
                        return False
                    if self._fork(message, files):
                        return True

    def _fork(self, message: bytes, files: list[int]) -> bool:
        """Make the new process; True in it."""
        pid = os.fork()
        if pid == 0:
            self._become(json.loads(message), files)
            return True
        *own, self._running[pid] = files
        for file in own:
            os.close(file)
        self._orders.send(str(pid).encode())
        return False

    def _become(self, order: dict[str, object], files: list[int]) -> None:
        """Let go of everything that is not the program's, and put on what the order says."""
        self._let_go()
        for target, file in enumerate(files[:3]):
            os.dup2(file, target)
        for file in (*files, *self._running.values()):
            os.close(file)
        arguments, environment = order["arguments"], order["environment"]
        assert isinstance(arguments, list)
        assert isinstance(environment, dict)
        sys.argv = ["secure-export", *arguments]
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(str(order["folder"]))

    def _let_go(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._orders, self._woken, self._waker):
            end.close()

    def _tell_ends(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            file = self._running.pop(pid)
            os.write(file, str(status).encode())
            os.close(file)


def run_to_its_end() -> None:
    """Run the program and end as Python does, but leave memory alone: to clear what is shared would copy it first."""
    code: object = 1
    try:
        run()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - Python's own way with what nobody caught
        sys.excepthook(*sys.exc_info())
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    gc.collect()  # what was left open complains here
    if not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    load()
    if Orders(socket.socket(fileno=int(sys.argv[1]))).take():
        run_to_its_end()
