/**
 * What the drivers share. A driver is a process of its own that measures one client once:
 *
 *     node kafkajs.js describe        prints { version, runtime, ways }
 *     node kafkajs.js '{"task": …}'   prints one line: what was measured, or { error }
 *
 * `runner/task.ts` says what a task and a measurement hold. A client is an object of ways: for each task
 * and mode a text, which says how it is done, and a function. Plain JavaScript, as the clients' own
 * examples are, so that nothing but the client is loaded and compiled in the process.
 */
import { adminTask } from './admin.js'
import { consumeTask, groupTask, slowTask, transformTask } from './consume.js'
import { delayTask } from './delay.js'
import { echoTask, startTask } from './latency.js'
import { memberTask } from './member.js'
import { optionsTask } from './options.js'
import { produceTask } from './produce.js'
import { rebalanceTask } from './rebalance.js'
import { stormTask } from './storm.js'
import { transactionsTask } from './transactions.js'

const CLOSING_MS = 3_000

const TASKS = {
  produce: produceTask,
  consume: consumeTask,
  group: groupTask,
  member: memberTask,
  rebalance: rebalanceTask,
  share: consumeTask,
  transform: transformTask,
  transactions: transactionsTask,
  slow: slowTask,
  echo: echoTask,
  delay: delayTask,
  start: startTask,
  admin: adminTask,
  storm: stormTask,
  options: optionsTask,
}

/**
 * `client` is { version, best, produce, consume, group, member, rebalance, share, transform, slow, echo, admin, storm, options }: see kafkajs.js, and java.js for a
 * tool. `best` names the mode that is taken where a question asks for any that is fast: { consume: 'batches' }.
 */
export async function drive(client) {
  const given = process.argv[2]
  const runtime = client.runtime ?? `Node.js ${process.version}`
  if (given === 'describe') {
    say({ version: client.version, runtime, ways: waysOf(client) })
    return
  }
  const task = JSON.parse(given)
  // Some clients leave promises behind that no code can await, and that fail when the clients are closed. A
  // failure before that must end the run.
  const failSoon = (error) => setTimeout(() => fail(error), CLOSING_MS)
  process.on('unhandledRejection', failSoon)
  process.on('uncaughtException', failSoon)
  try {
    const way = wayOf(client, task)
    if (way === undefined) throw new Error(`it has no way to ${task.task} ${task.mode}`)
    // A tool of its own does, counts and times the whole task by itself.
    const measured = await (client.isTool ? way[1](task) : TASKS[task.task](way[1], task))
    say(measured)
    // Not every client closes all its sockets and timers.
    process.exit(0)
  } catch (error) {
    fail(error)
  }
}

function wayOf(client, { task, mode }) {
  const ways = client[waysNameOf(task)]
  return ways?.[mode === 'best' ? client.best?.[task] : mode]
}

/** A client that can echo can also start, which is one echo, and be measured for its delays meanwhile. */
function waysNameOf(task) {
  return task === 'start' || task === 'delay' ? 'echo' : task
}

/** { 'produce single': '`send` …' } */
function waysOf(client) {
  const ways = {}
  for (const task of Object.keys(TASKS)) {
    const modes = client[waysNameOf(task)] ?? {}
    for (const [mode, [text]] of Object.entries(modes)) ways[`${task} ${mode}`] = text
    const best = modes[client.best?.[task]]
    if (best !== undefined) ways[`${task} best`] = best[0]
  }
  return ways
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function fail(error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stdout.write(`${JSON.stringify({ error: text })}\n`, () => process.exit(1))
}
