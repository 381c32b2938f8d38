import { Meter, peakMemoryBytes } from './meter.js'
import { Quota, readValues } from './values.js'

const PARTS = 3

/**
 * A way is `async (task, values) => ({ plain, option, close })`: two functions that produce, or read, what a quota
 * allows, with the defaults and with one option. They take turns in one process, so that other load concerns both
 * alike, after each has run once to be compiled.
 */
export async function optionsTask(open, task) {
  const values = readValues(task)
  const { plain, option, close } = await open(task, values)
  const warmUp = () => new Quota(values, Infinity, task.warmUpMs / 2)
  await plain(warmUp())
  await option(warmUp())
  const meters = { plain: new Sums(), option: new Sums() }
  for (let part = 0; part < PARTS; part++) {
    for (const [name, run] of Object.entries({ plain, option })) {
      await meters[name].measure(run, new Quota(values, Infinity, task.limitMs / PARTS))
    }
  }
  const memoryBytes = peakMemoryBytes()
  await close()
  const { sums } = meters.option
  return {
    ...sums,
    bytes: sums.messages * task.valueBytes,
    memoryBytes,
    timesPlain: meters.option.cpuOfMessage / meters.plain.cpuOfMessage,
  }
}

class Sums {
  sums = { messages: 0, elapsedMs: 0, userMs: 0, systemMs: 0 }

  async measure(run, quota) {
    const meter = new Meter()
    meter.start()
    await run(quota)
    const measured = { messages: quota.given, ...meter.stop() }
    for (const [key, value] of Object.entries(measured)) this.sums[key] += value
  }

  get cpuOfMessage() {
    return (this.sums.userMs + this.sums.systemMs) / this.sums.messages
  }
}
