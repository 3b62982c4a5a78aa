/** Your application's own sign-in stands here; it makes the session that token/route.js reads, and leads back. */
export default function SignIn() {
  return (
    <main>
      <h1>Sign in</h1>
      <p>
        This example signs in whoever the server was started for (<code>ACCOUNT_ID</code>). <a href="/">Go on</a>
      </p>
    </main>
  );
}
