import { registerRootComponent } from 'expo';
import { fetch } from 'expo/fetch';
import { useState } from 'react';
import { AppState, Button, Text, TextInput, View } from 'react-native';
import { PromptGeneratorAPI } from 'prompt-generation-client';
import { appStatePresence } from 'prompt-generation-client/react-native';
import { usePromptGeneration } from 'prompt-generation-react';

const client = new PromptGeneratorAPI('https://prompts.example.com/api/v1/web-knowledge', () => '', {
  presence: appStatePresence(AppState),
  fetch, // it streams
});

function App() {
  const [draft, setDraft] = useState('');
  const { isRunning, text, error, generate } = usePromptGeneration({ client, storage: null });
  return (
    <View>
      <TextInput multiline value={draft} onChangeText={setDraft} />
      <Button title="Built with Expo" onPress={() => generate(draft)} disabled={isRunning} />
      <Text>{error?.message ?? text}</Text>
    </View>
  );
}

registerRootComponent(App);
