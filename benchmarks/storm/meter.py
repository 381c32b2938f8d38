"""Logs once in a second how many there were, the CPU time of the process in ms, and its memory in bytes."""
import resource
import time


class Meter:
    def __init__(self):
        self.count = 0
        self.next = 0

    def add(self, log):
        self.count += 1
        if self.count % 100 != 0:
            return
        now = int(time.time() * 1000)
        if now < self.next:
            return
        self.next = now + 1000
        used = resource.getrusage(resource.RUSAGE_SELF)
        log(
            "METER %d %d %f %f %d"
            % (now, self.count, used.ru_utime * 1e3, used.ru_stime * 1e3, used.ru_maxrss * 1024)
        )
