"""What samsa.ts's bolt does, by pystorm."""
from collections import Counter

from meter import Meter
from pystorm import Bolt


class Count(Bolt):
    def initialize(self, conf, context):
        self.counts = Counter()
        self.meter = Meter()

    def process(self, tup):
        self.counts[tup.values[0]] += 1
        self.meter.add(self.log)


if __name__ == "__main__":
    Count().run()
