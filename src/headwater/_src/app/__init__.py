"""The command line and the demo: the outermost layer, which uses headwater as any program would."""
