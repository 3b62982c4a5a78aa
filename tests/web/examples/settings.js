// The addresses and credentials of the examples; the tests write this file anew with those of their server.
export const apiBaseUrl = 'https://prompts.example.com/api/v1/web-knowledge';
export const getToken = () => 'the API key or JWT of the person who is signed in';
