/** Facts in texts, and the versions of a prompt. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { factsIn, factsNotIn, sentencesWith, withFacts } from '../../../web/client/src/facts.js';
import { NO_VERSIONS, takenBack, withResult, withShown, withText } from '../../../web/client/src/versions.js';

const DRAFT = 'Answer for our bakery. Bread costs €4.80 (tax incl.).\nCall 030 1234567. 营业7点。';

test('a fact is found to the letter, and never inside a longer number', () => {
  const parts = factsIn('Costs €4.80, not €4.805; call 030\n1234567.', ['€4.80', '030 1234567']);
  assert.deepEqual(
    parts.filter(({ fact }) => fact).map(({ text }) => text),
    ['€4.80', '030\n1234567'],
  );
  assert.equal(parts.map(({ text }) => text).join(''), 'Costs €4.80, not €4.805; call 030\n1234567.');
  assert.deepEqual(factsIn('a', []), [{ text: 'a', fact: false }]);
});

test('signs of regular expressions in a fact are signs', () => {
  assert.deepEqual(factsNotIn('{{name}} $X (a+b)* \\d', ['{{name}}', '$X', '(a+b)*', '\\d', '%s']), ['%s']);
});

test('what is missing is added once, in the words of the draft', () => {
  assert.deepEqual(sentencesWith(DRAFT, ['7', '€4.80']), ['Bread costs €4.80 (tax incl.).', '营业7点。']);
  const added = withFacts('A prompt.\n', DRAFT, ['€4.80', '030 1234567', 'WELCOME10']);
  assert.equal(added, 'A prompt.\n\n- Bread costs €4.80 (tax incl.).\n- Call 030 1234567.\n- WELCOME10');
  assert.equal(withFacts(added, DRAFT, ['€4.80', '030 1234567', 'WELCOME10']), added);
});

const state = (taskId, prompt, manualPrompt, feedback = '') => ({ manualPrompt, feedback, result: { taskId, prompt } });

test('a change of a version has it as its base, and goes back to it', () => {
  let versions = withResult(NO_VERSIONS, state('1', 'one', 'draft'));
  assert.equal(versions.undecided, false);
  versions = withText(versions, 'one, edited');
  versions = withResult(versions, state('2', 'two', 'one, edited', 'Shorter.'));
  assert.deepEqual(
    [versions.at, versions.undecided, versions.list[1].base, versions.list[1].draft],
    [1, true, '1', 'draft'],
  );
  versions = withResult(withShown(versions, '1'), state('2', 'two', 'one, edited', 'Shorter.'));
  assert.deepEqual([versions.at, versions.list.length], [1, 2], 'a result that is here already is shown');
  versions = takenBack(versions);
  assert.deepEqual(
    versions.list.map(({ text }) => text),
    ['one, edited'],
  );
  assert.deepEqual([versions.at, versions.undecided], [0, false]);
});

test('ten versions are kept', () => {
  let versions = NO_VERSIONS;
  for (let number = 0; number < 12; number += 1) {
    versions = withResult(versions, state(String(number), `text ${number}`, 'draft'));
  }
  assert.deepEqual([versions.list.length, versions.at, versions.list[0].taskId], [10, 9, '2']);
});
