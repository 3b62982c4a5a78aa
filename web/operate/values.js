// Times and numbers as the reader writes them.

const NUMBER = new Intl.NumberFormat();
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

// Return a number with its digits in groups.
export function number(value) {
  return NUMBER.format(value);
}

// Return a moment in the reader's own time; pointing at it shows it as the server wrote it.
export function when(moment, before = '') {
  const time = document.createElement('time');
  time.dateTime = time.title = moment;
  time.textContent = before + MOMENT.format(new Date(moment));
  return time;
}
