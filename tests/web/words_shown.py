"""What a page says in words and in figures that people read: scripts that return what is in the wrong language."""

# ruff: noqa: RUF001  # words of many languages
from __future__ import annotations

DRAFT = "به پرسش‌ها دربارهٔ نانوایی ما پاسخ بده. نان ۴٫۸۰ یورو است. تلفن 030 1234567."
# What people see or hear; but what the stand-in makes up, what is no word (translate=no), or in its own language.
SAID = """
() => {
  const skipped = (node) => node.closest('[translate=no], option[lang], script, style, noscript, head');
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, data } = walker.currentNode;
    if (!skipped(parentElement) && data.trim()) said.push(data);
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [title], [aria-valuetext]')) {
    for (const name of ['aria-label', 'placeholder', 'title', 'aria-valuetext']) {
      if (element.hasAttribute(name) && !skipped(element)) said.push(element.getAttribute(name));
    }
  }
  const word = /[a-z]{2}/i;
  const allowed = /Ctrl\\+C|\\[\\[.*?\\]\\]|pg_…|- Call( .1 800 555 0199)?| for a discount/g;
  return said.filter((text) => word.test(text.replace(allowed, '')));
}
"""
# Numbers that people read, in other digits than the language's; but what was written or generated, and what is no word.
LATIN_DIGITS = """
() => {
  const theirs = '[translate=no], textarea, option[lang], script, style, head, output, .prompt-text, .excerpt,'
    + '.pg-text, .pg-warning';
  const said = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(theirs)) said.push(walker.currentNode.data);
  }
  for (const element of document.querySelectorAll('[aria-label], [aria-valuetext]')) {
    said.push(element.getAttribute('aria-label') ?? '', element.getAttribute('aria-valuetext') ?? '');
  }
  return said.filter((text) => /[0-9]/.test(text.replace('+1 800 555 0199', ''))); // which the stand-in makes up
}
"""
