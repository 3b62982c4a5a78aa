/**
 * useCompletion({ streamProtocol: 'text', fetch: completionFetch(prompts, setResult) }): the text grows as `completion`.
 * What counts is the result: it may differ from what grew, because facts that the AI lost are added at the end.
 */
export const completionFetch = (prompts, onResult) => (url, { body, signal }) => {
  const encoder = new TextEncoder();
  let sent = '';
  const stream = new ReadableStream({
    async start(controller) {
      const send = (text) => {
        if (text.startsWith(sent)) {
          controller.enqueue(encoder.encode(text.slice(sent.length)));
          sent = text;
        }
      };
      try {
        const result = await prompts.generate(JSON.parse(body).prompt, { signal, onText: send });
        send(result.prompt);
        onResult(result);
        controller.close();
      } catch (error) {
        controller.error(error); // useCompletion gives it to onError
      }
    },
  });
  return Promise.resolve(new Response(stream));
};
