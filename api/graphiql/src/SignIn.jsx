import { roleKey } from './session.js';

export function RoleSwitch({ roles, role, changeRole }) {
  return (
    <label className="control">
      Signed in as
      <select value={role} onChange={(event) => changeRole(event.target.value)}>
        {roles.map((candidate) => (
          <option key={roleKey(candidate)} value={roleKey(candidate)}>
            {candidate.name} · {candidate.workspace}
          </option>
        ))}
      </select>
    </label>
  );
}

export function TokenInput({ token, changeToken }) {
  function submit(event) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('token');
    changeToken(typed.trim().replace(/^bearer\s+/i, ''));
  }

  return (
    <form className="control" onSubmit={submit}>
      <label className="control">
        Bearer token
        <input
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="paste a token"
          defaultValue={token}
        />
      </label>
      <button type="submit">Use</button>
    </form>
  );
}
