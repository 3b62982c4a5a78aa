// Times and numbers as the reader writes them.

const NUMBER = new Intl.NumberFormat();
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const SECOND = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

// Return a number with its digits in groups.
export function number(value) {
  return NUMBER.format(value);
}

// Return a moment in the reader's own time; pointing at it shows it as the server wrote it.
export function when(moment, before = '') {
  return made(moment, before + MOMENT.format(new Date(moment)));
}

// The same, without its day and seconds.
export function clock(moment) {
  return made(moment, CLOCK.format(new Date(moment)));
}

// The same, without its day.
export function second(moment) {
  return made(moment, SECOND.format(new Date(moment)));
}

function made(moment, text) {
  const time = document.createElement('time');
  time.dateTime = time.title = moment;
  time.textContent = text;
  return time;
}
