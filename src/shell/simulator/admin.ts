import type { Answer } from './answer.ts';
import { isObject, jsonOf } from './api.ts';
import type { Call } from './api.ts';
import type { SimulatorBooks } from './books.ts';
import { parseFaults } from './faults.ts';
import type { RandomFaults } from './faults.ts';

interface Administered {
  readonly books: SimulatorBooks;
  readonly random: RandomFaults;
}

/** What tests ask of the simulator itself. Throws with what is wrong, as a test wants to know. */
export function administer(call: Call, answer: Answer, { books, random }: Administered): void {
  const asked = `${call.method} ${call.path}`;
  switch (asked) {
    case 'GET /simulator/books':
      return answer.json(200, books);
    case 'DELETE /simulator/books':
      books.reset();
      return answer.json(200, {});
    case 'POST /simulator/faults':
      return answer.json(200, setFaults(jsonOf(call), random));
    default:
      answer.json(404, { error: { message: 'There are GET and DELETE /simulator/books, and POST /simulator/faults.' } });
  }
}

function setFaults(body: unknown, random: RandomFaults): object {
  if (!isObject(body)) throw new Error('The body must be a JSON object such as {"faults":"status=500","probability":0.1,"seed":7}.');
  const { faults = '', probability = 1, seed = 1 } = body;
  if (typeof faults !== 'string' || typeof probability !== 'number' || typeof seed !== 'number')
    throw new Error('faults must be text, probability and seed must be numbers.');
  const parsed = parseFaults(faults);
  random.set(parsed, probability, seed);
  return { faults: parsed, probability, seed };
}
