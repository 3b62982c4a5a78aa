// The elements that the operator's page is made of. Nothing is made from text that holds markup.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 220;
const HEIGHT = 60;

export function replace(parent, ...children) {
  parent.replaceChildren(...children);
}

function element(name, text = '') {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

// Return an element around a text or around another element.
function filled(name, value) {
  const made = element(name);
  made.append(value);
  return made;
}

// Return a figure with its name, a text or an element; a bad one stands out.
export function definition(name, text, bad = false) {
  const pair = element('div');
  pair.append(element('dt', name), filled('dd', text));
  if (bad) pair.dataset.state = 'bad';
  return pair;
}

// Return an account's id for a table: a long one takes more lines there.
export function named(accountId) {
  const wrapping = element('span', accountId);
  wrapping.className = 'account-name';
  return wrapping;
}

// Return a table's row; `id` is the column with an identifier, an element stands as it is.
export function cells(values, id = -1) {
  const row = element('tr');
  values.forEach((value, index) => {
    const cell = filled('td', value);
    if (index === id) cell.className = 'id';
    row.append(cell);
  });
  return row;
}

// Return a small plot and the same in words: a bar of each column's parts, which are [kind, value] from below.
export function bars(caption, columns, ...words) {
  const figure = element('figure');
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('aria-hidden', 'true');
  const heights = columns.map((parts) => parts.reduce((total, [, value]) => total + value, 0));
  const most = Math.max(...heights) || 1;
  const wide = WIDTH / columns.length;
  columns.forEach((parts, index) => {
    let top = HEIGHT;
    for (const [kind, value] of parts) {
      const height = (value / most) * HEIGHT;
      top -= height;
      if (value) drawing.append(bar(kind, { x: index * wide + wide / 10, y: top, width: wide * 0.8, height }));
    }
  });
  figure.append(element('figcaption', caption), drawing, ...words);
  return figure;
}

function bar(kind, place) {
  const made = document.createElementNS(SVG, 'rect');
  made.setAttribute('class', kind);
  for (const [name, value] of Object.entries(place)) made.setAttribute(name, value);
  return made;
}

// Return a line of words and elements below a plot; `kind` shows the colour that they explain.
export function words(parts, kind = '') {
  const line = element('p');
  line.append(...parts);
  if (kind) line.className = kind;
  return line;
}
