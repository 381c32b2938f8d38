"""Logs how many there are so far, once in a second."""
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
        log("METER %d %d" % (now, self.count))
