type Random = (below: number) => number

/** Text as an application's events have it, without end and the same in each run; `more` adds fields. */
export function* events(more: (random: Random) => object = () => ({})): Generator<string, never> {
  let state = 42
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
  const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
  const actions = ['view', 'click', 'purchase', 'login', 'logout']
  for (let id = 0; ; id++) {
    yield JSON.stringify({
      id,
      user: users[random(users.length)],
      action: actions[random(actions.length)],
      amount: random(100_000) / 100,
      timestamp: 1_700_000_000_000 + id * 37 + random(30),
      session: random(2 ** 32 - 1).toString(16),
      ...more(random),
    })
  }
}
