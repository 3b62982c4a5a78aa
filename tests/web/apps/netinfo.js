// What the React Native example uses of @react-native-community/netinfo, told by the browser.
export default {
  addEventListener(listener) {
    const tell = () => listener({ isConnected: navigator.onLine });
    addEventListener('online', tell);
    addEventListener('offline', tell);
    tell();
    return () => {
      removeEventListener('online', tell);
      removeEventListener('offline', tell);
    };
  },
};
