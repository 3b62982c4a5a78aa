// Runs before the first paint, so that nothing jumps afterwards: is there a key to connect with?
try {
  const hasKey = sessionStorage.getItem('prompt-generation:api-key') || document.querySelector('meta[name="demo-api-key"]');
  document.documentElement.dataset.connected = hasKey ? 'yes' : 'no';
} catch {
  document.documentElement.dataset.connected = document.querySelector('meta[name="demo-api-key"]') ? 'yes' : 'no';
}
