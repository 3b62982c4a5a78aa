import { Generator } from './generator';

export default function Page() {
  return <Generator />;
}
