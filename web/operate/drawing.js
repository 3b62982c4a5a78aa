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

// Return a small plot of one bar per name, and the same in words.
export function bars(caption, counts, names) {
  const figure = element('figure');
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('aria-hidden', 'true');
  const most = Math.max(1, ...counts);
  counts.forEach((count, index) => {
    const bar = document.createElementNS(SVG, 'rect');
    const height = (count / most) * HEIGHT;
    const place = {
      x: (index * WIDTH) / counts.length + 1,
      y: HEIGHT - height,
      width: WIDTH / counts.length - 2,
      height,
    };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value);
    drawing.append(bar);
  });
  const told = counts.flatMap((count, index) =>
    count ? [`${names[index] === 'more' ? 'more' : `to ${names[index]} s`}: ${count}`] : [],
  );
  figure.append(element('figcaption', caption), drawing, element('p', told.join(' · ') || 'none yet'));
  return figure;
}
