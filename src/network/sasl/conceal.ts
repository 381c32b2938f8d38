/**
 * Returns a function that replaces secrets, plain and in base64, in a text from the broker before it reaches an error or
 * a log. The closure keeps the secrets where `inspect` does not show them.
 */
export function concealer(...secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')])
  return (text) => forms.reduce((left, form) => left.replaceAll(form, '***'), text)
}
