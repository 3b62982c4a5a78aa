// A class as somebody wrote it years ago from the JavaScript section of the contract's document. It knows nothing of our packages.
class OldApi {
  constructor(base, token) {
    this.base = base;
    this.token = token;
    this.timer = null;
  }

  async startGeneration(manualPrompt, onProgress, onComplete, onError) {
    try {
      const response = await fetch(`${this.base}/generate-prompt-async/`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ manual_prompt: manualPrompt }),
      });
      const data = await response.json();
      if (!data.success) {
        onError(data.message);
        return null;
      }
      this.pollStatus(data.task_id, onProgress, onComplete, onError);
      return data.task_id;
    } catch {
      onError('Failed to start generation');
      return null;
    }
  }

  pollStatus(taskId, onProgress, onComplete, onError) {
    this.timer = setInterval(async () => {
      try {
        const response = await fetch(`${this.base}/generate-prompt-async/status/${taskId}/`, {
          headers: { Authorization: `Bearer ${this.token}` },
        });
        const data = await response.json();
        onProgress({ status: data.status, progress: data.progress || 0, message: data.message });
        if (data.status === 'completed') {
          this.stopPolling();
          onComplete(data.prompt, data.generated_by_ai);
        } else if (data.status === 'failed') {
          this.stopPolling();
          onError(data.error || data.message);
        }
      } catch {
        this.stopPolling();
        onError('Failed to check status');
      }
    }, 1000);
  }

  stopPolling() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }
}

const say = (id, text) => (document.getElementById(id).textContent += `${text}\n`);

document.getElementById('go').addEventListener('click', () => {
  const api = new OldApi(`${location.origin}/api/v1/web-knowledge`, localStorage.getItem('token'));
  api.startGeneration(
    document.getElementById('prompt').value,
    ({ status, progress, message }) => say('progress', `${progress}% ${status}: ${message}`),
    (prompt, byAI) => say('complete', `${byAI}: ${prompt}`),
    (error) => say('error', error),
  );
});
