"""What samsa.ts's spout does, by pystorm."""
from meter import Meter
from pystorm import Spout

WORDS = ["the", "cow", "jumped", "over", "the", "moon", "an", "apple", "a", "day"]


class Words(Spout):
    def initialize(self, conf, context):
        self.per_next = int(conf["bench.per.next"])
        self.is_acked = conf["bench.acked"]
        self.n = 0
        self.acked = Meter()
        self.emitted = Meter()

    def next_tuple(self):
        for _ in range(self.per_next):
            word = WORDS[self.n % len(WORDS)]
            if self.is_acked:
                self.emit([word], tup_id=self.n)
            else:
                self.emit([word])
                self.emitted.add(self.log)
            self.n += 1

    def ack(self, tup_id):
        self.acked.add(self.log)


if __name__ == "__main__":
    Words().run()
