/* test_browser.c - a browser shows the page: a screenshot has the sheet's colour and the curves'. Skipped without one.
 */
#include "run_rig.h"

#include <png.h>
#include <sys/wait.h>

static const char *const browsers[] = { "chromium", "chromium-browser", "google-chrome" };

static const char *browser(void)
{
	char command[128];
	for (size_t i = 0; i < MMI_COUNT(browsers); i++) {
		snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", browsers[i]);
		if (system(command) == 0)
			return browsers[i];
	}
	return NULL;
}

static size_t pixels_near(const png_bytep rgb, size_t n, int red, int green, int blue)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += abs(rgb[3 * i] - red) < 12 && abs(rgb[3 * i + 1] - green) < 12 && abs(rgb[3 * i + 2] - blue) < 12;
	return found;
}

static void a_browser_shows_sheets_and_curves(void **state)
{
	rig *r = *state;
	char run[512], command[2400];
	const char *program = browser();
	if (!program) {
		print_message("no Chromium in PATH\n");
		skip();
	}
	put_run(r->folder, "run", 40, 1, 128, run);
	mmi_page_of_run(run, NULL);
	snprintf(command, sizeof command,
	         "HOME='%s' timeout 100 %s --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,3000 "
	         "--screenshot='%s/shot.png' 'file://%s/report.html' >'%s/browser.log' 2>&1",
	         r->folder, program, r->folder, run, r->folder);
	if (system(command) != 0) {
		print_message("%s did not run here\n", program);
		skip();
	}
	snprintf(command, sizeof command, "%s/shot.png", r->folder);
	png_image image = { .version = PNG_IMAGE_VERSION };
	assert_true(png_image_begin_read_from_file(&image, command));
	image.format = PNG_FORMAT_RGB;
	png_bytep rgb = malloc(PNG_IMAGE_SIZE(image));
	assert_non_null(rgb);
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
	const size_t n = (size_t)image.width * image.height;
	assert_true(pixels_near(rgb, n, 255, 0, 255) > 4000);     /* upper half of the sheet */
	assert_true(pixels_near(rgb, n, 0x00, 0x72, 0xb2) > 300); /* first line of each chart */
	assert_true(pixels_near(rgb, n, 0xd5, 0x5e, 0x00) > 100); /* second line of those that have one */
	free(rgb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_browser_shows_sheets_and_curves, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests_name("browser", tests, NULL, NULL);
}
