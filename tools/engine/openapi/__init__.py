"""Operations of documented HTTP APIs as tools."""
