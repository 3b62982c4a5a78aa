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
});
