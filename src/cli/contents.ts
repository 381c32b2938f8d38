import type { Command } from 'commander'

/** Adds commands to the program; `all` creates the program with every command, for completion. */
export type Adder = (samsa: Command, all: () => Promise<Command>) => void

/**
 * A first word of a command line, as `samsa --help` lists it. The help does not load the file with
 * its declaration.
 */
export interface Entry {
  /** The name with the arguments, such as `topics [options] [pattern...]`. */
  readonly usage: string
  /** An alias. */
  readonly alias?: string
  readonly summary: string
  readonly isHidden?: boolean
}

/** A file with commands. */
export interface Part {
  readonly entries: readonly Entry[]
  /**
   * Called when one of its words is used, so that a command starts without the code of the others.
   */
  readonly load: () => Promise<Adder>
}

/** Every command, in the order of --help. A test compares the texts with the declarations. */
export const CONTENTS: readonly (readonly [heading: string, parts: readonly Part[]])[] = [
  [
    'Messages:',
    [
      {
        entries: [
          {
            usage: 'produce [options] [topic] [file...]',
            summary: 'send each line of standard input as a message',
          },
        ],
        load: async () => (await import('./commands/produce.ts')).produceCommand,
      },
      {
        entries: [
          {
            usage: 'consume [options] [topic...]',
            summary: 'print the messages of topics, one value per line',
          },
        ],
        load: async () => (await import('./commands/consume.ts')).consumeCommand,
      },
      {
        entries: [
          {
            usage: 'share [options] <group> <topic...>',
            summary: 'print and acknowledge messages of a share group',
          },
        ],
        load: async () => (await import('./commands/share.ts')).shareCommand,
      },
      {
        entries: [
          {
            usage: 'mirror [options] <topic...>',
            summary: 'copy topics to another cluster, or to other topics of the same cluster',
          },
        ],
        load: async () => (await import('./commands/mirror.ts')).mirrorCommand,
      },
    ],
  ],
  [
    'Topics and groups:',
    [
      {
        entries: [
          { usage: 'topics [options] [pattern...]', summary: 'list topics' },
          { usage: 'topic', summary: 'describe, create, change and delete topics' },
        ],
        load: async () => (await import('./commands/topics.ts')).topicCommands,
      },
      {
        entries: [
          { usage: 'groups [options] [pattern...]', summary: 'list the groups of all kinds' },
          { usage: 'group', summary: 'describe and delete groups, remove members' },
        ],
        load: async () => (await import('./commands/groups.ts')).groupCommands,
      },
      {
        entries: [
          {
            usage: 'lag [options] [group...]',
            summary: 'show the lag of groups, in messages and in time',
          },
        ],
        load: async () => (await import('./commands/lag.ts')).lagCommand,
      },
      {
        entries: [
          { usage: 'offsets', summary: 'list offsets; reset and export the offsets of groups' },
        ],
        load: async () => (await import('./commands/offsets.ts')).offsetCommands,
      },
    ],
  ],
  [
    'Cluster:',
    [
      {
        entries: [
          {
            usage: 'cluster',
            summary: 'show brokers, features, controllers and API versions',
          },
        ],
        load: async () => (await import('./commands/cluster.ts')).clusterCommands,
      },
      {
        entries: [
          {
            usage: 'top [options] [pattern...]',
            summary: 'show the busiest topics and the groups with lag, live',
          },
        ],
        load: async () => (await import('./commands/top.ts')).topCommand,
      },
      {
        entries: [
          {
            usage: 'configs [options] <resource...>',
            summary: 'show settings of topics, brokers, groups and client metrics',
          },
          { usage: 'config', summary: 'read, change and compare settings' },
        ],
        load: async () => (await import('./commands/configs.ts')).configCommands,
      },
      {
        entries: [
          {
            usage: 'reassign',
            summary: 'move partitions between brokers, with as few moves as possible',
          },
          {
            usage: 'elect [options] [topic...]',
            summary: 'elect the preferred leaders of topics, or of all topics',
          },
          {
            usage: 'logdirs [options]',
            summary: 'show the disk space of topics on each broker (Kafka 1.0)',
          },
        ],
        load: async () => (await import('./commands/placement.ts')).placementCommands,
      },
      {
        entries: [
          {
            usage: 'transactions [options]',
            alias: 'txns',
            summary: 'list transactions (Kafka 3.0)',
          },
          { usage: 'transaction', alias: 'txn', summary: 'describe and abort transactions' },
        ],
        load: async () => (await import('./commands/transactions.ts')).transactionCommands,
      },
      {
        entries: [
          {
            usage: 'ping [options]',
            summary: 'connect to every broker, and report the step at which a connection fails',
          },
        ],
        load: async () => (await import('./commands/ping.ts')).pingCommand,
      },
      {
        entries: [
          {
            usage: 'raw [options] <api> [body]',
            summary: "send a request of Kafka's protocol and print the response as JSON",
          },
        ],
        load: async () => (await import('./commands/raw.ts')).rawCommand,
      },
    ],
  ],
  [
    'Access:',
    [
      {
        entries: [
          { usage: 'acls [options]', summary: 'list access control entries' },
          { usage: 'acl', summary: 'create and delete access control entries' },
          {
            usage: 'users [options] [user...]',
            summary: 'list users with SCRAM credentials (Kafka 2.7)',
          },
          { usage: 'user', summary: 'set and delete SCRAM credentials' },
          { usage: 'quotas [options]', summary: 'list client quotas (Kafka 2.6)' },
          { usage: 'quota', summary: 'set and remove client quotas' },
        ],
        load: async () => (await import('./commands/access.ts')).accessCommands,
      },
      {
        entries: [
          { usage: 'tokens [options]', summary: 'list delegation tokens (Kafka 1.1)' },
          { usage: 'token', summary: 'create, renew and expire delegation tokens' },
        ],
        load: async () => (await import('./commands/tokens.ts')).tokenCommands,
      },
    ],
  ],
  [
    'Measuring and testing:',
    [
      {
        entries: [
          { usage: 'bench', summary: 'measure how fast a cluster accepts and delivers messages' },
        ],
        load: async () => (await import('./commands/bench.ts')).benchCommands,
      },
      {
        entries: [
          {
            usage: 'verifiable-producer [options]',
            summary: 'send increasing numbers, and print the outcome of each',
          },
          {
            usage: 'verifiable-consumer [options]',
            summary:
              "read as a member of a group, and print events in the format of Kafka's system tests",
          },
        ],
        load: async () => (await import('./commands/verifiable.ts')).verifiableCommands,
      },
    ],
  ],
  [
    'Other:',
    [
      {
        entries: [
          {
            usage: 'broker [options]',
            summary: 'run a Kafka cluster in this process until Ctrl-C',
          },
        ],
        load: async () => (await import('./commands/broker.ts')).brokerCommand,
      },
      {
        entries: [
          {
            usage: 'profile',
            summary: 'store the settings of clusters under names, and choose one',
          },
        ],
        load: async () => (await import('./commands/profile.ts')).profileCommands,
      },
      {
        entries: [
          {
            usage: 'errors [options] [error...]',
            summary: "explain Kafka's error codes, by number or by name",
          },
        ],
        load: async () => (await import('./commands/errors.ts')).errorsCommand,
      },
      {
        entries: [
          {
            usage: 'completion <shell>',
            summary: 'print the completion script for bash, zsh or fish',
          },
          {
            usage: '__complete [word...]',
            summary: 'print the words that can follow on a command line',
            isHidden: true,
          },
        ],
        load: async () => (await import('./commands/completion.ts')).completionCommands,
      },
    ],
  ],
]
