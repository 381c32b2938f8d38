import { StormError } from '../errors.ts'
import type { ComponentModel, InputModel } from '../topology/model.ts'

/** Selects the tasks that receive a tuple. */
type Choose = (values: readonly unknown[], directTask: number | undefined) => readonly number[]

/** The receivers of each stream's tuples. */
export class Routes {
  /** By `component:stream`. */
  readonly #routes = new Map<string, Choose[]>()

  /** Throws StormError for a grouping that only Java supports. */
  constructor(
    components: readonly ComponentModel[],
    tasksOf: ReadonlyMap<string, readonly number[]>,
  ) {
    for (const bolt of components) {
      for (const input of bolt.inputs) {
        const source = components.find(({ name }) => name === input.component)!
        const { fields } = source.streams[input.stream]!
        const key = `${input.component}:${input.stream}`
        const routes = this.#routes.get(key) ?? []
        routes.push(chooserOf(bolt.name, input, tasksOf.get(bolt.name)!, fields))
        this.#routes.set(key, routes)
      }
    }
  }

  tasksFor(
    component: string,
    stream: string,
    values: readonly unknown[],
    directTask: number | undefined,
  ): readonly number[] {
    const routes = this.#routes.get(`${component}:${stream}`) ?? []
    return routes.flatMap((choose) => choose(values, directTask))
  }
}

function chooserOf(
  bolt: string,
  { component, stream, grouping }: InputModel,
  tasks: readonly number[],
  fields: readonly string[],
): Choose {
  let turn = 0
  switch (grouping.type) {
    case 'shuffle':
    case 'localOrShuffle':
    case 'none':
      return () => [tasks[turn++ % tasks.length]!]
    case 'all':
      return () => tasks
    case 'global':
      return () => [Math.min(...tasks)]
    case 'direct':
      return (_values, task) => (task !== undefined && tasks.includes(task) ? [task] : [])
    case 'fields': {
      const places = grouping.fields.map((field) => fields.indexOf(field))
      return (values) => {
        const key = JSON.stringify(places.map((place) => values[place]))
        return [tasks[hashOf(key) % tasks.length]!]
      }
    }
    case 'custom':
    case 'serialized': {
      const reason = `the bolt '${bolt}' groups '${component}:${stream}' with a Java class, which only Storm can run`
      throw new StormError('INVALID_TOPOLOGY', reason, bolt)
    }
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}
