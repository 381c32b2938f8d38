/** The same as samsa.ts, by the components of words.py and count.py. */
import { defineTopology, runTopology, shellComponent } from 'samsa/storm'

const command = process.env['BENCH_PYTHON'] ?? 'python3'

runTopology(
  defineTopology({
    name: 'bench',
    spouts: {
      words: { component: shellComponent({ command, script: 'words.py', outputs: ['word'] }) },
    },
    bolts: {
      count: {
        component: shellComponent({ command, script: 'count.py', outputs: [] }),
        inputs: ['words'],
      },
    },
  }),
)
