import { expect, it } from 'vitest';
import { csvLine } from './csv.ts';

it.each([
  [['a', 1, true, null, undefined, ''], 'a,1,true,,,'],
  [['a,b', 'say "yes"', 'two\nlines'], '"a,b","say ""yes""","two\nlines"'],
  [['=1+1', '+a', '-a', '@a', '\ta'], "'=1+1,'+a,'-a,'@a,'\ta"],
  [['-5', '0.25', '-0.5', '5-'], '-5,0.25,-0.5,5-'],
  [['=a,b'], `"'=a,b"`],
])('%j', (cells, line) => {
  expect(csvLine(cells)).toBe(line);
});
