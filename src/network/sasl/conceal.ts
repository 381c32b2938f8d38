/**
 * Replaces secrets in a text from the broker, as they are and in base64, before it reaches an error or a log.
 * The secrets are held in a closure, where `inspect` does not show them.
 */
export function concealer(...secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')])
  return (text) => forms.reduce((left, form) => left.replaceAll(form, '***'), text)
}
