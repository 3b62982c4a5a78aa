import { useState } from 'react';
import { Button, Text, TextInput, View } from 'react-native';
import { usePromptGeneration } from 'prompt-generation-react';

export function GeneratorScreen({ client }) {
  const [draft, setDraft] = useState('');
  const generation = usePromptGeneration({ client, storage: null });
  const { isRunning, progress, message, text, error, canRetry } = generation;
  return (
    <View>
      <TextInput
        multiline
        value={draft}
        onChangeText={setDraft}
        editable={!isRunning}
        accessibilityLabel="Your prompt"
      />
      {isRunning ? (
        <Button title="Cancel" onPress={() => generation.cancel()} />
      ) : (
        <Button title="Improve" onPress={() => generation.generate(draft)} disabled={!draft.trim()} />
      )}
      {isRunning && <Text accessibilityLiveRegion="polite">{`${progress}% ${message}`}</Text>}
      {error && <Text>{error.message}</Text>}
      {canRetry && <Button title="Try again" onPress={() => generation.retry()} />}
      {text !== '' && <Text selectable>{text}</Text>}
    </View>
  );
}
