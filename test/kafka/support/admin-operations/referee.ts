import { isAtLeast } from '../../../support/real-brokers.ts'
import { clientJars } from '../../../wire/support/jars.ts'
import { JavaReferee } from '../../../wire/support/java-referee.ts'

/** Starts the Java program that does the operations of Admin at a place: hosts, or `bootstrap.controllers=` and hosts. */
export async function startAdminReferee(version: string, place: string): Promise<JavaReferee> {
  const [newest, old] = await Promise.all([clientJars('4.4.0'), clientJars('3.9.1')])
  const java = await JavaReferee.start({
    program: 'test/kafka/java/AdminOperationsReferee.java',
    compileWith: newest,
    // Java's client of 4.x speaks to brokers from 2.1 on.
    runWith: isAtLeast(version, '2.1') ? newest : old,
  })
  java.tell(place)
  return java
}
