import type { Outputs } from '../component/outputs.ts'
import type { JavaArgument } from './groupings.ts'

/** A component that is a program of another language. */
export interface ShellComponent<Out extends Outputs = Outputs> {
  /** Distinguishes it from the other kinds of components. */
  readonly kind: 'shell'
  /** The program that implements Storm's multilang protocol. */
  readonly command: string
  /** The only argument of the command, a file in the jar's `resources`; may be empty. */
  readonly script: string
  /** The streams that it emits. */
  readonly outputs: Out
}

/** A component that is an object of a Java class, which the workers must have. */
export interface JavaComponent<Out extends Outputs = Outputs> {
  /** Distinguishes it from the other kinds of components. */
  readonly kind: 'java'
  /** The full name of the Java class. */
  readonly className: string
  /** The arguments of the class's constructor. */
  readonly args: readonly JavaArgument[]
  /** The streams that it emits. */
  readonly outputs: Out
}

/** A component that is a serialized Java object. */
export interface SerializedComponent<Out extends Outputs = Outputs> {
  /** Distinguishes it from the other kinds of components. */
  readonly kind: 'serialized'
  /** The component, serialized by Java. */
  readonly bytes: Uint8Array
  /** The streams that it emits. */
  readonly outputs: Out
}

/** A component that is not written for Node.js. */
export type ForeignComponent<Out extends Outputs = Outputs> =
  ShellComponent<Out> | JavaComponent<Out> | SerializedComponent<Out>

/** A spout or bolt that `command script` runs, with the multilang protocol. */
export function shellComponent<const Out extends Outputs>(of: {
  readonly command: string
  readonly script: string
  readonly outputs: Out
}): ShellComponent<Out> {
  return { kind: 'shell', ...of }
}

/** A spout or bolt of a Java class. */
export function javaComponent<const Out extends Outputs>(of: {
  readonly className: string
  readonly args: readonly JavaArgument[]
  readonly outputs: Out
}): JavaComponent<Out> {
  return { kind: 'java', ...of }
}

/** A spout or bolt that Java has serialized. */
export function serializedComponent<const Out extends Outputs>(of: {
  readonly bytes: Uint8Array
  readonly outputs: Out
}): SerializedComponent<Out> {
  return { kind: 'serialized', ...of }
}
