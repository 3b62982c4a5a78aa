// Runs before the first paint, so that nothing jumps afterwards: which language, and is there a key to connect with?
(() => {
  const SAID_WITHIN_MS = 3_000;
  const page = document.documentElement;
  const stored = (/** @type {() => Storage} */ storage, /** @type {string} */ name) => {
    try {
      return storage().getItem(`prompt-generation:${name}`);
    } catch {
      return null; // forbidden
    }
  };
  const known = ['en', 'de', 'fr', 'es', 'ar', 'fa'];
  const wanted = [stored(() => localStorage, 'language') ?? '', ...navigator.languages].map(
    (tag) => tag.toLowerCase().split('-')[0],
  );
  page.lang = wanted.find((tag) => known.includes(tag)) ?? 'en';
  page.dir = ['ar', 'fa'].includes(page.lang) ? 'rtl' : 'ltr';
  page.dataset.said = page.lang === 'en' ? 'en' : '';
  setTimeout(() => (page.dataset.said ||= 'en'), SAID_WITHIN_MS); // a script may never come: English is better than nothing
  const hasKey = stored(() => sessionStorage, 'api-key') || document.querySelector('meta[name="demo-api-key"]');
  page.dataset.connected = hasKey ? 'yes' : 'no';
})();
