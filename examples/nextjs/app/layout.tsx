import type { ReactNode } from 'react';
import 'prompt-generation-react/styles.css';

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
