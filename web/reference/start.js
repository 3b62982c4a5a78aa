// Shows the description of this very server. Nothing is asked of a foreign host: no validator, no address from the URL.
const reference = document.getElementById('reference');

window.SwaggerUIBundle({
  domNode: reference,
  url: new URL(reference.dataset.description, document.baseURI).href,
  validatorUrl: null,
  queryConfigEnabled: false,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  syntaxHighlight: false, // of an account's export, 800 KB, it takes more than a minute, and the tab stands still
});

// Swagger UI has dark colours under this class: the reader's system says whether they are wanted.
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const followSystem = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followSystem);
followSystem();
