import { STATES } from './states.js';

const choices = document.getElementById('choices');
const states = document.getElementById('states');

function show() {
  const { of, ...rest } = Object.fromEntries(new FormData(choices));
  states.replaceChildren(
    ...Object.keys(STATES).map((state) => figureOf(`${of}.html?${new URLSearchParams({ state, ...rest })}`, state)),
  );
}

function figureOf(src, state) {
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  const frame = document.createElement('iframe');
  caption.append(Object.assign(document.createElement('a'), { href: src, textContent: state }));
  Object.assign(frame, { src, title: state, loading: 'lazy' });
  figure.append(caption, frame);
  return figure;
}

choices.addEventListener('change', show);
show();
