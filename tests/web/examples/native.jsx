import NetInfo from '@react-native-community/netinfo';
import { useState } from 'react';
import { AppState, Button, Text, TextInput, View } from 'react-native';
import { PromptGeneratorAPI } from 'prompt-generation-client';
import { appStatePresence } from 'prompt-generation-client/react-native';
import { usePromptGeneration } from 'prompt-generation-react';
import { apiBaseUrl, getToken } from './settings.js';

const client = new PromptGeneratorAPI(apiBaseUrl, getToken, { presence: appStatePresence(AppState, NetInfo) });

export function GeneratorScreen() {
  const [draft, setDraft] = useState('');
  const { isRunning, progress, message, connection, result, error, generate, cancel, retry } = usePromptGeneration({ client });
  return (
    <View>
      <TextInput multiline value={draft} onChangeText={setDraft} editable={!isRunning} accessibilityLabel="Draft" />
      {isRunning ? (
        <Button title="Cancel" onPress={cancel} />
      ) : (
        <Button title="Improve" onPress={() => generate(draft)} disabled={!draft.trim()} />
      )}
      {isRunning && <Text accessibilityLiveRegion="polite">{connection === 'offline' ? 'Offline' : `${progress}% ${message}`}</Text>}
      {error && <Text>{error.message}</Text>}
      {error && <Button title="Try again" onPress={retry} />}
      {result && <Text selectable>{result.prompt}</Text>}
    </View>
  );
}
