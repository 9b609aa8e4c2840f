import { useState } from 'react';

const TOKEN = 'workgraph:token';
const ROLE = 'workgraph:role';

export const roleKey = ({ name, workspace }) => `${workspace}/${name}`;

export function useSession(roles) {
  const [role, setRole] = useState(() => sessionStorage.getItem(ROLE));
  const [typed, setTyped] = useState(() => sessionStorage.getItem(TOKEN) ?? '');
  const current = roles.find((candidate) => roleKey(candidate) === role) ?? roles[0];

  return {
    role: current && roleKey(current),
    token: current ? current.token : typed,
    changeRole(key) {
      sessionStorage.setItem(ROLE, key);
      setRole(key);
    },
    changeToken(token) {
      sessionStorage.setItem(TOKEN, token);
      setTyped(token);
    },
  };
}
