// What the React Native example uses of react-native, on a page: enough to run it, with AppState told by the test.
const listeners = new Set();

export const AppState = {
  currentState: 'active',
  addEventListener(_type, listener) {
    listeners.add(listener);
    return { remove: () => listeners.delete(listener) };
  },
};

window.becomes = (state) => {
  AppState.currentState = state;
  listeners.forEach((listener) => listener(state));
};

export const View = 'div';
export const Text = ({ children }) => <p>{children}</p>;
export const Button = ({ title, onPress, disabled }) => (
  <button onClick={() => onPress()} disabled={disabled}>
    {title}
  </button>
);
export const TextInput = ({ value, onChangeText, editable, accessibilityLabel }) => (
  <textarea
    value={value}
    onChange={(event) => onChangeText(event.target.value)}
    disabled={!editable}
    aria-label={accessibilityLabel}
  />
);

// React Native's fetch has no response.body.
const { fetch } = window;
window.fetch = async (...request) => {
  const response = await fetch(...request);
  Object.defineProperty(response, 'body', { value: undefined });
  return response;
};
