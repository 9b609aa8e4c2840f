export function TopBar({ children }) {
  return (
    <header className="top-bar">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 6.5 17.5 5M6.5 8 11 17M17 7l-4.5 10" />
        <circle cx="5" cy="6.5" r="2.6" />
        <circle cx="18.5" cy="5" r="2.6" />
        <circle cx="12" cy="19" r="2.6" />
      </svg>
      <h1>
        Workgraph <span>GraphiQL</span>
      </h1>
      {children}
    </header>
  );
}
