/** useMutation(generating(prompts)) starts one; the client itself tries again what is worth it. */
export const generating = (prompts, options) => ({
  mutationFn: (text) => prompts.generate(text, options),
  retry: false,
});

/** useQuery(generation(prompts, taskId)) shows one that was started elsewhere; its result never changes. */
export const generation = (prompts, taskId, options) => ({
  queryKey: ['generation', taskId],
  queryFn: ({ signal }) => prompts.resume(taskId, { ...options, signal }),
  staleTime: Infinity,
  retry: false,
});
