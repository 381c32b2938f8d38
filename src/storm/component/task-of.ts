import { StormError } from '../errors.ts'
import { Bolt } from './bolt.ts'
import { BoltTask } from './bolt-task.ts'
import type { Component } from './component.ts'
import type { Place } from './host.ts'
import { Spout } from './spout.ts'
import { SpoutTask } from './spout-task.ts'
import type { Task } from './task.ts'

/** Creates the task that drives a component, for a spout or a bolt. */
export function taskOf(component: Component, place: Place): Task {
  // `instanceof` does not know the type arguments.
  if (component instanceof Spout) return new SpoutTask(component as Spout, place)
  // As above.
  if (component instanceof Bolt) return new BoltTask(component as Bolt, place)
  const reason = `'${place.componentName}' extends neither Spout nor Bolt`
  throw new StormError('INVALID_TOPOLOGY', reason, place.componentName)
}
