/* no_symbol.c - defect: a shared object that is no plugin. */
int mm_plugin_query_0(void);
int mm_plugin_query_0(void)
{
	return 0;
}
