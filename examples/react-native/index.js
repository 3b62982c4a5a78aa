/** `npm install && npm start` in this folder. Set here where your server is and how your app gets a token. */

import { registerRootComponent } from 'expo';
import { fetch } from 'expo/fetch';
import { AppState } from 'react-native';
import { PromptGeneratorAPI } from 'prompt-generation-client';
import { appStatePresence } from 'prompt-generation-client/react-native';
import { GeneratorScreen } from './generator-screen';

const getToken = async () => (await fetch('https://app.example.com/token')).text();

const client = new PromptGeneratorAPI('https://prompts.example.com/api/v1/web-knowledge', getToken, {
  presence: appStatePresence(AppState), // stops in the background, goes on afterwards
  fetch, // it streams, which React Native's own does not
});

registerRootComponent(() => <GeneratorScreen client={client} />);
